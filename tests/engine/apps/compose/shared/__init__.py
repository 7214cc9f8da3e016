KEY = "not a secret"
