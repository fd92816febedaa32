"""gunicorn for thywill.service; the socket comes from thywill.socket."""

# Four processes with four threads each: up to sixteen messages are handled at the same time.
workers = 4
worker_class = "gthread"
threads = 4

# A worker that gives no sign of life for so long is replaced, in seconds; a stop waits for what is
# under way. Both are longer than any request should take.
timeout = 60
graceful_timeout = 30

# nginx is on this machine, at the other end of a socket that nobody else can open.
forwarded_allow_ips = "*"

# systemd starts, stops and watches it; nobody needs a second way in.
control_socket_disable = True
