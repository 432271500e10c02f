# The ports that a cluster's hosts open to each other, and what Ray is told of them. All are below
# those that load-host.sh gives to outgoing connections.
# shellcheck shell=bash disable=SC2034

readonly HEAD_PORT=6379 # the head's, unless a hosts file names another one; the next six are Ray's
readonly FIRST_WORKER_PORT=10100 LAST_WORKER_PORT=10999

ray_ports() { # HEAD PORT
    echo "--node-manager-port=$(($1 + 1))"
    echo "--object-manager-port=$(($1 + 2))"
    echo "--runtime-env-agent-port=$(($1 + 3))"
    echo "--dashboard-agent-grpc-port=$(($1 + 4))"
    echo "--dashboard-agent-listen-port=$(($1 + 5))"
    echo "--metrics-export-port=$(($1 + 6))"
    echo "--min-worker-port=$FIRST_WORKER_PORT"
    echo "--max-worker-port=$LAST_WORKER_PORT"
}
