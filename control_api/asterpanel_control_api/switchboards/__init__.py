"""Acting on switchboards over their second AMI user, which can do nothing but change queue members."""
