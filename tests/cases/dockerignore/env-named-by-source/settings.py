FILE = ".env"
