"""From the headers of a request to the `Person` who sent it, or to a refusal."""
