"""Not built yet; hands out nothing. Later: studies from a PACS in, SR, SEG and pictures back."""
