"""What the tests of the dashboards load into real servers, how they ask, and what they expect."""
