"""The audit: every action and every denial as a log line, a point in the journal and an annotation."""
