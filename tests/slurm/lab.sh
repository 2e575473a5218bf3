# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A Slurm of its own for one test: no root, no systemd, no cgroups, nothing outside its directory. Its nodes n1, n2, … are
# pretended by one machine. Sourced after tests/e2e/lib.sh.
#
# What such a Slurm wants to be told, and why:
#   proctrack/pgid, task/none, jobacct_gather/none   the others need cgroups; without them srun returns 0 and nothing has run
#   TmpFS=…-%n, a spool for each node                nodes that share them fall over each other's PMIx directories
#   cred_expire=15                                   a requeued job waits for as long as credentials live: else two minutes
#   config_overrides                                 nodes may have more CPUs than the machine
#   sched_interval=1, …                              a dependent job else starts seconds after its parent has ended

LAB= # its directory

lab_is_there() {
  local program
  for program in slurmctld slurmd munged mungekey sbatch; do command -v "$program" > /dev/null || return 1; done
}

lab_ports() { # N: the first of N consecutive TCP ports that nobody listens on
  local base port
  while read -r base; do
    for ((port = base; port < base + $1; ++port)); do
      if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then continue 2; fi
    done
    echo "$base"
    return
  done < <(seq 20000 50 32000 | shuf)
  return 1
}

lab_configuration() { # NODES CPUS PORT
  local host me i
  host=$(hostname -s) me=$(id -un)
  cat << CONF
ClusterName=lab
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$me
SlurmdUser=$me
SlurmctldPort=$3
AuthType=auth/munge
AuthInfo=socket=$LAB/munge/socket,cred_expire=15
CredType=cred/munge
StateSaveLocation=$LAB/ctld
SlurmdSpoolDir=$LAB/spool-%n
TmpFS=$LAB/tmp-%n
SlurmctldPidFile=$LAB/ctld.pid
SlurmdPidFile=$LAB/slurmd-%n.pid
SlurmctldLogFile=$LAB/log/ctld.log
SlurmdLogFile=$LAB/log/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
MpiDefault=pmix
ReturnToService=2
KillWait=5
MinJobAge=3600
CONF
  for ((i = 1; i <= $1; ++i)); do
    echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$(($3 + i)) CPUs=$2 RealMemory=1000 State=UNKNOWN"
  done
  echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
}

# start_lab NODES CPUS: and wait until it takes jobs; stopped at the end of the test.
start_lab() {
  local port i
  lab_is_there || skip_all "no Slurm here (slurmctld, slurmd, slurm-client, munge)"
  # munged refuses a socket that others cannot reach, and a path that is too long.
  LAB=$(mktemp -d /tmp/lhsm-lab.XXXXXX)
  at_end rm -rf -- "$LAB"
  at_end stop_lab
  mkdir -p "$LAB"/{munge,ctld,log}
  chmod 711 "$LAB" "$LAB/munge"
  for ((i = 1; i <= $1; ++i)); do mkdir "$LAB/spool-n$i" "$LAB/tmp-n$i"; done
  port=$(lab_ports $(($1 + 1)))
  lab_configuration "$1" "$2" "$port" > "$LAB/slurm.conf"
  export SLURM_CONF=$LAB/slurm.conf
  mungekey --create --keyfile="$LAB/munge/key"
  munged --key-file="$LAB/munge/key" --socket="$LAB/munge/socket" --pid-file="$LAB/munge.pid" \
    --log-file="$LAB/log/munge.log" --seed-file="$LAB/munge/seed"
  slurmctld -f "$SLURM_CONF"
  for ((i = 1; i <= $1; ++i)); do start_node "n$i"; done
  expect_soon "a Slurm of $1 nodes is up" 30 lab_nodes_are idle "$1"
  # Nodes that are one machine share /dev/shm, and its interfaces.
  export OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
}

start_node() { slurmd -f "$SLURM_CONF" -N "$1"; }

lab_nodes_are() { [ "$(sinfo -h -N -o %t 2> /dev/null | grep -c "^$1\$")" -eq "$2" ]; }

# lab_pids PATTERN: processes whose command line has this directory's slurm.conf, or this spool, in it. What the lab starts, it
# alone may end.
lab_pids() {
  local pid
  for pid in /proc/[0-9]*; do
    tr '\0' ' ' 2> /dev/null < "$pid/cmdline" | grep -e "$1" > /dev/null && echo "${pid#/proc/}"
  done || true
}

stop_lab() {
  local pid pids=()
  timeout 10 scancel --full --me 2> /dev/null || true
  comes_true 10 no_job_is_left || true
  for pid in "$LAB"/slurmd-*.pid "$LAB/ctld.pid" "$LAB/munge.pid"; do
    [ ! -f "$pid" ] || pids+=("$(cat "$pid")")
  done
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2> /dev/null || true
  for pid in "${pids[@]}"; do comes_true 10 is_gone "$pid" || kill -s KILL "$pid" 2> /dev/null || true; done
}

is_gone() { ! is_running "$1"; }
no_job_is_left() { [ -z "$(squeue -h -o %i 2> /dev/null)" ]; }

# job_is ID STATE[|STATE]: as scontrol calls it: PENDING, RUNNING, COMPLETED, FAILED, CANCELLED.
job_is() { [[ "$(job_field "$1" JobState)" =~ ^($2)$ ]]; }
job_field() { scontrol show job "$1" 2> /dev/null | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1; }
job_is_over() { job_is "$1" 'COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|PREEMPTED|BOOT_FAIL|DEADLINE'; }
has_restarted() { [ "$(job_field "$1" Restarts)" -ge "${2:-1}" ] 2> /dev/null; }

has_restarted_or_ended() { has_restarted "$1" || job_is_over "$1"; }

# expect_end ID STATE EXITCODE [SECONDS]: of a job; what it said when it ended otherwise.
expect_end() {
  local got
  comes_true "${4:-120}" job_is_over "$1" || true
  got="$(job_field "$1" JobState) $(job_field "$1" ExitCode)"
  expect_equal "job $1 ends: $2, exit code $3" "$got" "$2 $3:0"
  [ "$got" = "$2 $3:0" ] || {
    tail -n 30 "$WORK/job-$1.out" 2> /dev/null | sed 's/^/#   /'
    tail -n 15 "$LAB/log/ctld.log" | sed 's/^/#   ctld: /'
  }
}
