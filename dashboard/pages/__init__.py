"""One module a page: what stands where. The browser fills it from the snapshot."""
