"""What ``manage.py thywill doctor`` looks at: a page, its session with Orbited, the broker."""
