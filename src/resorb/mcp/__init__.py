"""Not built yet; hands out nothing. Later: the verbs as read-only tools of an AI assistant."""
