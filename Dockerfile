# One image for every service, the migrations and the command line:
#   docker build --build-arg SERVICE=intake -t redress/intake:0.1.0 .
# SERVICE is a service's name without "-service"; the default image runs the command line.

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements-bootstrap.lock ./
RUN python -m venv /opt/redress && /opt/redress/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements-bootstrap.lock
COPY requirements-runtime.lock ./
RUN /opt/redress/bin/uv pip install --python /opt/redress/bin/python --quiet --require-hashes --no-deps --compile-bytecode -r requirements-runtime.lock
COPY shared shared
COPY services services
COPY deploy/standalone deploy/standalone
RUN /opt/redress/bin/uv pip install --python /opt/redress/bin/python --quiet --no-deps --no-build-isolation --compile-bytecode \
      ./shared ./services/*-service ./deploy/standalone \
 && /opt/redress/bin/uv pip uninstall --python /opt/redress/bin/python --quiet uv hatchling editables

FROM python:3.11.14-slim-bookworm
ARG SERVICE=""
ENV PATH=/opt/redress/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SERVICE=$SERVICE
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin redress \
 && install -d -o redress -g redress /var/lib/redress/attachments
COPY --from=build /opt/redress /opt/redress
COPY deploy/entrypoint /usr/local/bin/redress-entrypoint
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["redress-entrypoint"]
