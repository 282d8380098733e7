"""The command line: one file per noun. It asks the daemon through cms.client and knows no rule of its own."""
