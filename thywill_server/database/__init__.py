"""Database: where the site keeps what must survive the process."""
