"""The web page: uptime and latency of each kecamatan."""
