"""Sources turn bytes into typed records and judge nothing."""
