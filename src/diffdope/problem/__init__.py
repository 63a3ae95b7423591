"""Costs: image terms of objects in views (factors), and what is known of poses beside them, summed over variables."""
