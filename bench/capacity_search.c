/* SPDX-License-Identifier: Apache-2.0 */
/* Trials at a rate: each worker lcore reads a ring that a generator lcore fills on schedule. A
 * packet that finds the ring full is lost, as one that finds no descriptor of a port. The highest
 * rate without loss is searched by halves. */
#include "bench/capacity.h"
#include "dataplane/clock.h"
#include "dataplane/log.h"

#include <math.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <string.h>
#include <sys/resource.h>

#define DRAIN_EVERY   16   /* bursts of the generator, after which the records are taken */
#define DRAIN_MOST    2048 /* reports at a time: the schedule must be kept */
#define LATE_US       1000 /* a generator that is later gives up the arrears */
#define REACHED       0.98 /* share of the rate that a generator must make */
#define RETRIES       3    /* of a trial whose loss may be the machine's */
#define FIRST_MPPS    8.0
#define WARM_MPPS     0.5
#define SMALLEST_MPPS 0.01

/* A generator lcore and its worker lcore. Each field has one writer. */
struct pair {
	struct traffic *traffic;
	struct rig_worker *worker;
	struct rte_ring *ring;
	unsigned worker_lcore, generator_lcore;
	struct steady_clock clock;
	/* generator */
	double pps;
	uint64_t cycles; /* of the trial */
	uint64_t sent, ring_full, no_buffer;
	double seconds;
	int64_t generator_switches;
	const atomic_bool *stop;
	/* worker */
	atomic_bool over __attribute__((aligned(64)));
	int64_t worker_switches;
};

static int64_t
switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

static int
run_worker(void *argument)
{
	struct pair *pair = argument;
	struct rte_mbuf *mbufs[PIPELINE_BURST];
	int64_t before = switches();

	for (;;) {
		bool over = atomic_load_explicit(&pair->over, memory_order_acquire);
		int64_t now = clock_now(&pair->clock);
		unsigned count =
			rte_ring_sc_dequeue_burst(pair->ring, (void **)mbufs, PIPELINE_BURST, NULL);

		for (unsigned i = 0; i < count; i++)
			rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
		if (count > 0) {
			rig_worker_packets(pair->worker, mbufs, count, now);
			continue;
		}
		if (over)
			break;
		pipeline_idle(&pair->worker->pipeline, now);
		rte_pause();
	}
	pair->worker_switches = switches() - before;
	return 0;
}

static void
send_burst(struct pair *pair)
{
	struct rte_mbuf *mbufs[TRAFFIC_BURST];
	unsigned taken;

	pair->sent += TRAFFIC_BURST;
	if (traffic_burst(pair->traffic, mbufs) != 0) {
		pair->no_buffer += TRAFFIC_BURST;
		return;
	}
	taken = rte_ring_sp_enqueue_burst(pair->ring, (void **)mbufs, TRAFFIC_BURST, NULL);
	if (taken == TRAFFIC_BURST)
		return;
	pair->ring_full += TRAFFIC_BURST - taken;
	rte_pktmbuf_free_bulk(mbufs + taken, TRAFFIC_BURST - taken);
}

static int
run_generator(void *argument)
{
	struct pair *pair = argument;
	double each = (double)rte_get_tsc_hz() * TRAFFIC_BURST / pair->pps;
	uint64_t arrears = rte_get_tsc_hz() / 1000000 * LATE_US;
	uint64_t start = rte_rdtsc(), now = start, bursts = 0;
	int64_t before = switches();
	double due = 0;

	while (now - start < pair->cycles) {
		if ((double)(now - start) >= due) {
			send_burst(pair);
			due += each;
			if ((double)(now - start) > due + (double)arrears)
				due = (double)(now - start);
			if (++bursts % DRAIN_EVERY == 0)
				rig_worker_drain_some(pair->worker, DRAIN_MOST);
			if (bursts % 1024 == 0 && atomic_load(pair->stop))
				break;
		} else {
			rte_pause();
		}
		now = rte_rdtsc();
	}
	pair->seconds = (double)(now - start) / (double)rte_get_tsc_hz();
	pair->generator_switches = switches() - before;
	atomic_store_explicit(&pair->over, true, memory_order_release);
	return 0;
}

static void
add_pair(struct trial *trial, const struct pair *pair)
{
	trial->sent += pair->sent;
	trial->ring_full += pair->ring_full;
	trial->no_buffer += pair->no_buffer;
	trial->sent_mpps += (double)pair->sent / pair->seconds / 1e6;
	trial->preempted |= pair->generator_switches > 0 || pair->worker_switches > 0;
}

/* The first generator runs here, on the main lcore. */
static struct trial
run_trial(struct capacity *capacity, struct pair *pairs, double mpps, double seconds)
{
	unsigned count = capacity->options.workers;
	struct trial trial = {.offered_mpps = mpps};

	for (unsigned i = 0; i < count; i++) {
		struct pair *pair = &pairs[i];

		pair->pps = mpps * 1e6 / count;
		pair->cycles = (uint64_t)(seconds * (double)rte_get_tsc_hz());
		pair->sent = pair->ring_full = pair->no_buffer = 0;
		atomic_store(&pair->over, false);
		rte_eal_remote_launch(run_worker, pair, pair->worker_lcore);
		if (i > 0)
			rte_eal_remote_launch(run_generator, pair, pair->generator_lcore);
	}
	run_generator(&pairs[0]);
	rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < count; i++) {
		add_pair(&trial, &pairs[i]);
		rig_worker_drain(pairs[i].worker);
	}
	return trial;
}

static bool
is_clean(const struct trial *trial)
{
	return trial->ring_full == 0 && trial->no_buffer == 0;
}

static bool
has_reached(const struct trial *trial)
{
	return trial->sent_mpps >= trial->offered_mpps * REACHED;
}

/* A loss or a late generator while a lcore was interrupted proves nothing: the trial is repeated.
 */
static struct trial
try_rate(struct capacity *capacity, struct pair *pairs, struct capacity_result *result, double mpps,
	double low, double high)
{
	struct trial trial = {0};
	double left = log2((high - low) / (capacity->options.resolution * mpps) + 1) *
		      capacity->options.trial_s;

	for (unsigned attempt = 0; attempt < RETRIES; attempt++) {
		capacity_progress(capacity, "%s: trial %u at %.2f Mpps, about %.0f s left",
			result->profile, result->trial_count + 1, mpps, left);
		trial = run_trial(capacity, pairs, mpps, capacity->options.trial_s);
		if (result->trial_count < CAPACITY_TRIALS_MAX)
			result->trials[result->trial_count++] = trial;
		if ((is_clean(&trial) && has_reached(&trial)) || !trial.preempted ||
			atomic_load(capacity->stop))
			break;
	}
	return trial;
}

/* Rates double until one loses or the generators reach their end. Sets the bounds of the search. */
static void
find_bounds(struct capacity *capacity, struct pair *pairs, struct capacity_result *result,
	double *low, double *high)
{
	double most = capacity->options.max_mpps;
	double mpps = most > 0 ? most : FIRST_MPPS * capacity->options.workers;

	*low = *high = 0;
	while (!atomic_load(capacity->stop)) {
		struct trial trial = try_rate(capacity, pairs, result, mpps, mpps / 2, mpps);

		if (!is_clean(&trial)) {
			*high = trial.sent_mpps < mpps ? trial.sent_mpps : mpps;
			return;
		}
		*low = trial.sent_mpps < mpps ? trial.sent_mpps : mpps;
		result->generator_limited = !has_reached(&trial);
		if (most > 0 || result->generator_limited)
			return;
		mpps *= 2;
	}
}

static void
search(struct capacity *capacity, struct pair *pairs, struct capacity_result *result)
{
	double low, high;

	run_trial(capacity, pairs, WARM_MPPS * capacity->options.workers,
		capacity->options.smoke ? 0.02 : 1);
	find_bounds(capacity, pairs, result, &low, &high);
	while (high - low > capacity->options.resolution * high && high > SMALLEST_MPPS &&
		!atomic_load(capacity->stop)) {
		double middle = (low + high) / 2;
		struct trial trial = try_rate(capacity, pairs, result, middle, low, high);

		if (is_clean(&trial) && has_reached(&trial))
			low = middle;
		else
			high = middle;
	}
	capacity_progress(capacity, "%s", "");
	result->capacity_mpps = low;
	result->frame_length = traffic_frame_length(pairs[0].traffic);
}

static int
make_pair(struct capacity *capacity, struct pair *pair, unsigned number, const char *profile)
{
	char name[32];

	snprintf(name, sizeof(name), "bench-%u", number);
	*pair = (struct pair){.stop = capacity->stop, .clock = clock_start()};
	pair->traffic = capacity_traffic(capacity, profile, number);
	pair->worker = rig_worker_create(&capacity->rig, number, RIG_INSPECT_ALL);
	pair->ring = rte_ring_create(
		name, capacity->options.ring, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	/* Lcore 0 is the first generator's; workers follow, then the other generators. */
	pair->worker_lcore = 1 + number;
	pair->generator_lcore = number ? capacity->options.workers + number : 0;
	if (pair->traffic && pair->worker && pair->ring)
		return 0;
	if (pair->traffic && pair->worker)
		log_error("no memory for a ring of %u packets", capacity->options.ring);
	return -1;
}

static void
sum_up(struct capacity_result *result, const struct rig_worker *worker)
{
	const struct pipeline *pipeline = &worker->pipeline;

	result->flow_records += worker->taken[REPORT_FLOW];
	result->facts += worker->taken[REPORT_EVIDENCE];
	result->samples += worker->taken[REPORT_SAMPLE];
	result->internal_losses +=
		pipeline->ipv4.counters.records_lost + pipeline->ipv6.counters.records_lost +
		pipeline->inspector.counters.packets_skipped +
		worker->reports.lost[REPORT_EVIDENCE] + worker->reports.lost[REPORT_MEDIA] +
		worker->reports.lost[REPORT_SAMPLE];
}

static void
free_pair(struct pair *pair)
{
	if (pair->ring)
		rte_ring_free(pair->ring);
	if (pair->worker)
		rig_worker_free(pair->worker);
	traffic_free(pair->traffic);
}

int
capacity_search(struct capacity *capacity, struct capacity_result *result)
{
	static struct pair pairs[CAPACITY_PAIRS_MAX];
	unsigned count = capacity->options.workers;
	int failed = 0;

	memset(pairs, 0, sizeof(pairs));
	for (unsigned i = 0; failed == 0 && i < count; i++)
		failed = make_pair(capacity, &pairs[i], i, result->profile);
	if (failed == 0)
		search(capacity, pairs, result);
	for (unsigned i = 0; failed == 0 && i < count; i++) {
		sum_up(result, pairs[i].worker);
		failed = rig_worker_balance(pairs[i].worker);
	}
	for (unsigned i = 0; i < count; i++)
		free_pair(&pairs[i]);
	return failed || atomic_load(capacity->stop) ? -1 : 0;
}
