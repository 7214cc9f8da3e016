import cowsay

cowsay.cow("moo")
