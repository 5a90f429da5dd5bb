"""Other monitors beside pantau, on the same simulated network: see test_peers.py."""
