# Proves that the configuration is one that NGINX takes, with a key and a certificate that go away again.
install -d -m 0700 /var/lib/foozol/tls
install -d /run/foozol
cd /var/lib/foozol/tls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=test -keyout key.pem -out cert.pem
nginx -t -c /etc/nginx/foozol.conf
cd /
rm -rf /var/lib/foozol/tls /run/foozol /run/nginx.pid /etc/nginx/sites-enabled /etc/nginx/sites-available
