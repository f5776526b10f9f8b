ARG base
FROM ${base}
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY npmrc /etc/stand-in-npmrc
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt NPM_CONFIG_GLOBALCONFIG=/etc/stand-in-npmrc
