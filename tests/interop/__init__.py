"""Exchange with other libraries; tests of a library that is absent are skipped."""
