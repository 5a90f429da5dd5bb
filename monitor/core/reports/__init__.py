"""Reports: availability, the document of one incident, the summary of a shift."""
