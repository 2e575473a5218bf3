/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the emulator's liblustreapi.so.1 exports besides Lustre's own names. */
#ifndef LHSM_EMULATOR_H
#define LHSM_EMULATOR_H

#ifdef __cplusplus
extern "C" {
#endif

/* When the file behind fd is released: ask for its restore as a reader on Lustre does without knowing
 * (hsm.actions shows flags=0x4), wait until its data are there, return 0; fd then reads them. A restore
 * that is registered already is waited for. A file that is not released, or lies on no emulated mount,
 * is 0 at once. Else a negative errno:
 *   -ENODATA   restore failed, cancelled, timed out or purged; or policy NonBlockingRestore (it goes on)
 *   -EAGAIN    the coordinator is stopped
 *   -EPERM     the request masks or the file's state allow no restore
 *   -EINTR     SIGINT, SIGTERM, SIGQUIT or SIGALRM was handled meanwhile; the restore goes on
 *   -ENOTCONN  no daemon runs
 * The other signals wait until it returns. */
int lhsm_emulator_wait_restored(int fd);

#ifdef __cplusplus
}
#endif

#endif
