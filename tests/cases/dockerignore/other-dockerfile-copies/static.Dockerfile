FROM nginx
COPY node_modules/left-pad /usr/share/nginx/html
COPY .git/HEAD /version
