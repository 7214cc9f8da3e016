class Page { String path = "src/main/resources/application.properties"; }
