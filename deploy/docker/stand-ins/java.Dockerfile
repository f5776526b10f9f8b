# A Java 21, as the images of Kafka and of the registry have it.
ARG base
FROM ${base}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends openjdk-21-jre-headless >/dev/null && rm -rf /var/lib/apt/lists/*
