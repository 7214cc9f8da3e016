FROM nginx
COPY .git/HEAD /version
