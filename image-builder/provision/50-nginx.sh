# Proves that the configuration is one that NGINX takes, with a key and a certificate that go away again.
install -d -m 0700 /etc/foozol/tls /run/foozol
cd /etc/foozol/tls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=test -keyout key.pem -out cert.pem
cat > /etc/nginx/foozol-key.conf <<'END'
set $workspace_key "test";
set $service_url "http://127.0.0.1:9";
set $service_host "127.0.0.1:9";
set $service_name "127.0.0.1";
set $service_link "";
resolver 127.0.0.1;
END
cat > /etc/nginx/foozol-service-tls.conf <<'END'
proxy_ssl_verify on;
proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
END
nginx -t
rm -f key.pem cert.pem /etc/nginx/foozol-key.conf /etc/nginx/foozol-service-tls.conf /run/nginx.pid
rm -rf /etc/nginx/sites-enabled /etc/nginx/sites-available /run/foozol
