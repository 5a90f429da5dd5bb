"""The running daemon: composition root, reload, systemd watchdog."""
