"""The numbers of views that Python computes, as records for the page."""
