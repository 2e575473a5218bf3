# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Sourced by every script that calls mpirun: how Open MPI must behave on one small machine.

# Root may start jobs: the tests need root on a real Lustre, and containers know no other user.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# Four ranks on two cores are meant; each job would else pin its ranks to the same first cores.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
# One node: shared memory only, no network is probed.
export OMPI_MCA_btl=self,vader

# Where a distribution keeps mpirun out of PATH.
if ! command -v mpirun > /dev/null && [ -x /usr/lib64/openmpi/bin/mpirun ]; then
  PATH=/usr/lib64/openmpi/bin:$PATH
fi
