"""What the shipped model is worth on spines it never saw: other phantoms, real CT, odd scans."""
