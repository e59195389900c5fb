"""Do intervals hold what is known exactly? Queues of one server, built from our own nodes."""
