"""CDS Hooks 2.0: what an electronic health record asks while a chart is open, answered with cards."""
