"""Several networks: trained alike, or not at all."""
