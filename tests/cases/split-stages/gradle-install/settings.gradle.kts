include("app")
