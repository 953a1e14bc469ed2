#pragma once

/*
 * MESSAGE_IDs: one 128-bit number per kind of event, explained to admins in
 * units/unitpost.catalog (`journalctl -x`). A number is never given a second meaning.
 * tests/lint checks that each has its catalog entry and that each entry has its number here.
 */

/* The life of a message. */
#define LOG_ID_SUBMITTED  "5c1a0e6f2d934b7ea1f08c3b6d2e4a01" /* postdrop took it from a user */
#define LOG_ID_PICKUP     "5c1a0e6f2d934b7ea1f08c3b6d2e4a02"
#define LOG_ID_MESSAGE_ID "5c1a0e6f2d934b7ea1f08c3b6d2e4a03" /* cleanup accepted it */
#define LOG_ID_QUEUED     "5c1a0e6f2d934b7ea1f08c3b6d2e4a04" /* qmgr made it active */
#define LOG_ID_SENT       "5c1a0e6f2d934b7ea1f08c3b6d2e4a05"
#define LOG_ID_DEFERRED   "5c1a0e6f2d934b7ea1f08c3b6d2e4a06"
#define LOG_ID_BOUNCED    "5c1a0e6f2d934b7ea1f08c3b6d2e4a07"
#define LOG_ID_REMOVED    "5c1a0e6f2d934b7ea1f08c3b6d2e4a08"
#define LOG_ID_EXPIRED    "5c1a0e6f2d934b7ea1f08c3b6d2e4a09"
#define LOG_ID_NOTICE     "5c1a0e6f2d934b7ea1f08c3b6d2e4a0a" /* bounce queued a notice */
#define LOG_ID_REFUSED    "5c1a0e6f2d934b7ea1f08c3b6d2e4a0b" /* too big, too many hops ... */
#define LOG_ID_CANCELED   "5c1a0e6f2d934b7ea1f08c3b6d2e4a0c" /* client went away before the end */
#define LOG_ID_LOST       "5c1a0e6f2d934b7ea1f08c3b6d2e4a0d" /* a notice that nobody gets */
#define LOG_ID_LATE       "5c1a0e6f2d934b7ea1f08c3b6d2e4a0e" /* bounce queued a notice of delay */

/* Trouble with the queue. */
#define LOG_ID_CORRUPT     "5c1a0e6f2d934b7ea1f08c3b6d2e4a10" /* moved to corrupt/ */
#define LOG_ID_INCOMPLETE  "5c1a0e6f2d934b7ea1f08c3b6d2e4a11" /* never acknowledged, removed */
#define LOG_ID_NEWER       "5c1a0e6f2d934b7ea1f08c3b6d2e4a12" /* moved to hold/ */
#define LOG_ID_QUEUE_ERROR "5c1a0e6f2d934b7ea1f08c3b6d2e4a13" /* I/O error on the queue */
#define LOG_ID_QUEUE_FULL  "5c1a0e6f2d934b7ea1f08c3b6d2e4a14" /* queue_minfree, ENOSPC */

/* What users and admins have written. */
#define LOG_ID_FORWARD_IGNORED "5c1a0e6f2d934b7ea1f08c3b6d2e4a40" /* a .forward, or part of one */
#define LOG_ID_NO_POSTMASTER   "5c1a0e6f2d934b7ea1f08c3b6d2e4a41"
#define LOG_ID_COMMAND_LEFT    "5c1a0e6f2d934b7ea1f08c3b6d2e4a42" /* hangs in the kernel */

/* Trouble with processes. */
#define LOG_ID_TRANSPORT_DEAD "5c1a0e6f2d934b7ea1f08c3b6d2e4a20" /* no hello from a role */
#define LOG_ID_WORKER_CRASHED "5c1a0e6f2d934b7ea1f08c3b6d2e4a21"
#define LOG_ID_TIME_LIMIT     "5c1a0e6f2d934b7ea1f08c3b6d2e4a22" /* one request took too long */
#define LOG_ID_PEER_REFUSED   "5c1a0e6f2d934b7ea1f08c3b6d2e4a23" /* SO_PEERCRED said no */
#define LOG_ID_PROTOCOL       "5c1a0e6f2d934b7ea1f08c3b6d2e4a24" /* malformed IPC */
#define LOG_ID_LINES_DROPPED  "5c1a0e6f2d934b7ea1f08c3b6d2e4a25"
#define LOG_ID_START_FAILED   "5c1a0e6f2d934b7ea1f08c3b6d2e4a26"

/* Configuration. */
#define LOG_ID_CONFIG_ERROR   "5c1a0e6f2d934b7ea1f08c3b6d2e4a30"
#define LOG_ID_CONFIG_WARNING "5c1a0e6f2d934b7ea1f08c3b6d2e4a31"
#define LOG_ID_TABLE_ERROR    "5c1a0e6f2d934b7ea1f08c3b6d2e4a32"
#define LOG_ID_ALIAS_LIMIT    "5c1a0e6f2d934b7ea1f08c3b6d2e4a35" /* aliases without end */
#define LOG_ID_TABLE_KEPT     "5c1a0e6f2d934b7ea1f08c3b6d2e4a33" /* a source that is not taken */
#define LOG_ID_TABLE_BUILT    "5c1a0e6f2d934b7ea1f08c3b6d2e4a34" /* an index of a changed source */
