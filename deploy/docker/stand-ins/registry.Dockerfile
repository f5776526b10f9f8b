# For apicurio/apicurio-registry 3: /deployments, port 8080, a user that is not root, JAVA_OPTS_APPEND, bash.
# github.com/Apicurio/apicurio-registry, distro/docker/src/main/docker.
ARG base
FROM ${base}
COPY . /deployments/
USER 1001
WORKDIR /deployments
EXPOSE 8080
ENTRYPOINT ["sh", "-c", "exec java -Dquarkus.http.host=0.0.0.0 $JAVA_OPTS_APPEND -jar /deployments/quarkus-run.jar"]
