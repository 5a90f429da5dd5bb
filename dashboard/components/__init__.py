"""Pieces of pages: HTML that is escaped as it is made, and Dash parts for the charts."""
