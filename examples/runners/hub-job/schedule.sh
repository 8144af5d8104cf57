#!/bin/sh
# The Hub itself runs hfspace every ten minutes: a scheduled Job that reads the manifest from a dataset repository.
#   HF_TOKEN=hf_… ./schedule.sh acme acme/fleet COMMIT [NAME…]
# acme: who pays for the Job; acme/fleet: the dataset with spaces.yaml; COMMIT: of hfspace, 40 digits; NAME: the
# environment names that the manifest's secrets come from. DRY_RUN=1 shows the Job and makes none.
# A second call makes a second Job: `hf jobs scheduled ps`, `hf jobs scheduled delete ID`.
set -eu
if [ $# -lt 3 ]; then
    echo "usage: HF_TOKEN=hf_… $0 NAMESPACE DATASET COMMIT [SECRET_NAME…]" >&2
    exit 1
fi
namespace=$1 dataset=$2 commit=$3
shift 3
secrets="--secrets HF_TOKEN"
for name in "$@"; do secrets="$secrets --secrets $name"; done
# shellcheck disable=SC2086  # several words
exec hf jobs scheduled run --namespace "$namespace" --name hfspace --label hfspace \
    --flavor cpu-basic --timeout 9m --no-concurrency ${DRY_RUN:+--dry-run} $secrets \
    --env "HFSPACE=https://github.com/OWNER/hfspace" --env "COMMIT=$commit" \
    --volume "hf://datasets/$dataset:/fleet:ro" \
    -- "*/10 * * * *" python:3.12 sh -euc '
        git clone --quiet "$HFSPACE" /tmp/hfspace
        cd /tmp/hfspace
        git checkout --quiet --detach "$COMMIT"
        pip install --quiet --root-user-action ignore --require-hashes --requirement requirements/run.txt
        pip install --quiet --root-user-action ignore --no-deps --no-build-isolation .
        cd /fleet
        exec hfspace --file /fleet/spaces.yaml apply --yes --timeout 6m'
