"""Private, real servers for the tests: each in its own data folder, on loopback, ended with the test run."""
