"""The light box: two scans or measurements -> a change, judged against what this pair can show. Not built yet; hands out nothing."""
