"""Log: where the site writes down what it does."""
