"""What outlives a page: jobs, runs as they grow, what is known of networks."""
