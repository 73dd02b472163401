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

#define DRAIN_EVERY 16      /* bursts of the generator, after which the records are taken */
#define DRAIN_MOST  2048    /* reports at a time: the schedule must be kept */
#define REACHED     0.98    /* share of the rate that a generator must make */
#define TELL_EVERY  200000  /* ns between a worker's words of its interruptions */
#define SILENT_MOST 1000000 /* ns after which a worker is off its CPU */
/* A stretch between interruptions must be much longer than the ring lasts, or the ring would hide a
 * rate that is too high: 4,096 slots last 0.4 ms at 10 Mpps, and so hide 2 % in 20 ms. */
#define PERIOD_S        0.002
#define STRETCH_LEAST_S 0.02
#define PATIENCE        5 /* times the length of a trial, within which it must have been quiet */
#define RETRIES         3
#define FIRST_MPPS      8.0
#define WARM_MPPS       2.0 /* RFC 2544 section 23: learning, before anything counts */
#define WARM_S          3
#define SMALLEST_MPPS   0.01

/* What a generator did in some time without interruption. */
struct sending {
	uint64_t sent, ring_full, no_buffer;
	uint64_t cycles;
};

/* A generator lcore and its worker lcore. */
struct pair {
	struct traffic *traffic;
	struct rig_worker *worker;
	struct rte_ring *ring;
	unsigned worker_lcore, generator_lcore;
	struct steady_clock clock;
	const atomic_bool *stop;
	/* the generator's */
	double pps;
	uint64_t cycles; /* of the trial */
	uint64_t period, stretch_least;
	/* Of the stretch since the last interruption: now, and at the ends of the two periods
	 * before. */
	struct sending now, before, older;
	struct sending counted; /* of earlier stretches */
	int64_t stretch_switches;
	unsigned disturbed;
	bool learning; /* losses are no end */
	/* between them, on lines of their own */
	atomic_bool over __attribute__((aligned(64)));
	_Atomic int64_t worker_switches __attribute__((aligned(64))); /* the worker's */
	_Atomic int64_t worker_told;                                  /* when it said so */
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
	int64_t told = 0;

	for (;;) {
		bool over = atomic_load_explicit(&pair->over, memory_order_acquire);
		int64_t now = clock_now(&pair->clock);
		unsigned count =
			rte_ring_sc_dequeue_burst(pair->ring, (void **)mbufs, PIPELINE_BURST, NULL);

		if (now - told >= TELL_EVERY) {
			told = now;
			atomic_store_explicit(
				&pair->worker_switches, switches(), memory_order_relaxed);
			atomic_store_explicit(&pair->worker_told, now, memory_order_release);
		}
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
	return 0;
}

static void
send_burst(struct pair *pair)
{
	struct rte_mbuf *mbufs[TRAFFIC_BURST];
	unsigned taken;

	pair->now.sent += TRAFFIC_BURST;
	if (traffic_burst(pair->traffic, mbufs) != 0) {
		pair->now.no_buffer += TRAFFIC_BURST;
		return;
	}
	taken = rte_ring_sp_enqueue_burst(pair->ring, (void **)mbufs, TRAFFIC_BURST, NULL);
	if (taken == TRAFFIC_BURST)
		return;
	pair->now.ring_full += TRAFFIC_BURST - taken;
	rte_pktmbuf_free_bulk(mbufs + taken, TRAFFIC_BURST - taken);
}

static uint64_t
lost(const struct sending *sending)
{
	return sending->ring_full + sending->no_buffer;
}

static void
count(struct pair *pair, const struct sending *sending)
{
	pair->counted.sent += sending->sent;
	pair->counted.ring_full += sending->ring_full;
	pair->counted.no_buffer += sending->no_buffer;
	pair->counted.cycles += sending->cycles;
}

static void
begin_stretch(struct pair *pair)
{
	/* What waits from a disturbance must not be held against what comes. */
	while (!rte_ring_empty(pair->ring))
		rte_pause();
	pair->now = pair->before = pair->older = (struct sending){0};
	pair->stretch_switches = switches() + atomic_load(&pair->worker_switches);
}

/* At the end of a period. The worker tells of its interruptions late, or is off its CPU and cannot,
 * so a period counts when the next one was quiet too. Returns true when a loss is proven: there is
 * nothing left to learn. */
static bool
end_period(struct pair *pair)
{
	int64_t seen =
		switches() + atomic_load_explicit(&pair->worker_switches, memory_order_relaxed);

	int64_t silent = clock_now(&pair->clock) - atomic_load(&pair->worker_told);

	if (seen != pair->stretch_switches || silent > SILENT_MOST) {
		pair->disturbed++;
		if (pair->older.cycles >= pair->stretch_least)
			count(pair, &pair->older);
		begin_stretch(pair);
		return false;
	}
	pair->older = pair->before;
	pair->before = pair->now;
	return lost(&pair->older) > 0 && !pair->learning;
}

static bool
is_over(const struct pair *pair, uint64_t elapsed)
{
	return pair->counted.cycles + pair->older.cycles >= pair->cycles ||
	       elapsed >= pair->cycles * (pair->learning ? 1 : PATIENCE) + 3 * pair->period ||
	       atomic_load(pair->stop);
}

/* From an empty ring until the worker was interrupted, a period at a time. Returns false when the
 * trial is over. */
static bool
send_period(struct pair *pair, double each, uint64_t trial_start)
{
	uint64_t start = rte_rdtsc(), now = start, bursts = 0;
	double due = 0;

	while (now - start < pair->period) {
		if ((double)(now - start) >= due) {
			send_burst(pair);
			due += each;
			if (++bursts % DRAIN_EVERY == 0)
				rig_worker_drain_some(pair->worker, DRAIN_MOST);
		} else {
			rte_pause();
		}
		now = rte_rdtsc();
	}
	rig_worker_drain_some(pair->worker, DRAIN_MOST);
	pair->now.cycles += rte_rdtsc() - start;
	return !end_period(pair) && !is_over(pair, now - trial_start);
}

static int
run_generator(void *argument)
{
	struct pair *pair = argument;
	double each = (double)rte_get_tsc_hz() * TRAFFIC_BURST / pair->pps;
	uint64_t start = rte_rdtsc();

	pair->counted = (struct sending){0};
	pair->disturbed = 0;
	begin_stretch(pair);
	while (send_period(pair, each, start))
		;
	if (pair->older.cycles >= pair->stretch_least || lost(&pair->older) > 0)
		count(pair, &pair->older);
	atomic_store_explicit(&pair->over, true, memory_order_release);
	return 0;
}

static void
add_pair(struct trial *trial, const struct pair *pair)
{
	double seconds = (double)pair->counted.cycles / (double)rte_get_tsc_hz();

	trial->sent += pair->counted.sent;
	trial->ring_full += pair->counted.ring_full;
	trial->no_buffer += pair->counted.no_buffer;
	trial->disturbed += pair->disturbed;
	if (seconds > 0)
		trial->sent_mpps += (double)pair->counted.sent / seconds / 1e6;
	if (trial->seconds == 0 || seconds < trial->seconds)
		trial->seconds = seconds;
}

static void
aim(struct pair *pair, double pps, double seconds)
{
	double hz = (double)rte_get_tsc_hz();

	pair->pps = pps;
	pair->cycles = (uint64_t)(seconds * hz);
	pair->period = (uint64_t)(PERIOD_S * hz);
	pair->stretch_least = (uint64_t)(STRETCH_LEAST_S * hz);
	if (pair->stretch_least > pair->cycles / 2)
		pair->stretch_least = pair->cycles / 2;
	atomic_store(&pair->over, false);
}

/* The first generator runs here, on the main lcore. */
static struct trial
run_trial(struct capacity *capacity, struct pair *pairs, double mpps, double seconds)
{
	unsigned pair_count = capacity->options.workers;
	struct trial trial = {.offered_mpps = mpps};

	for (unsigned i = 0; i < pair_count; i++)
		aim(&pairs[i], mpps * 1e6 / pair_count, seconds);
	for (unsigned i = 0; i < pair_count; i++)
		rte_eal_remote_launch(run_worker, &pairs[i], pairs[i].worker_lcore);
	for (unsigned i = 1; i < pair_count; i++)
		rte_eal_remote_launch(run_generator, &pairs[i], pairs[i].generator_lcore);
	run_generator(&pairs[0]);
	rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < pair_count; i++) {
		add_pair(&trial, &pairs[i]);
		rig_worker_drain(pairs[i].worker);
	}
	return trial;
}

static bool
is_clean(const struct trial *trial)
{
	return trial->seconds > 0 && trial->ring_full == 0 && trial->no_buffer == 0;
}

static bool
has_reached(const struct trial *trial)
{
	return trial->sent_mpps >= trial->offered_mpps * REACHED;
}

static bool
goes_on(const struct capacity *capacity, const struct capacity_result *result)
{
	return !result->unquiet && !atomic_load(capacity->stop);
}

/* A trial in which the machine was never quiet proves nothing: it is repeated, within reason. */
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
		if (trial.seconds > 0 || !goes_on(capacity, result))
			break;
	}
	result->unquiet |= trial.seconds == 0;
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
	while (goes_on(capacity, result)) {
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

/* Flows, streams and devices become known before anything counts. */
static void
learn(struct capacity *capacity, struct pair *pairs, const struct capacity_result *result)
{
	capacity_progress(capacity, "%s: learning", result->profile);
	for (unsigned i = 0; i < capacity->options.workers; i++)
		pairs[i].learning = true;
	run_trial(capacity, pairs, WARM_MPPS * capacity->options.workers,
		capacity->options.smoke ? 0.02 : WARM_S);
	for (unsigned i = 0; i < capacity->options.workers; i++)
		pairs[i].learning = false;
}

static void
search(struct capacity *capacity, struct pair *pairs, struct capacity_result *result)
{
	double low, high;

	learn(capacity, pairs, result);
	find_bounds(capacity, pairs, result, &low, &high);
	while (high - low > capacity->options.resolution * high && high > SMALLEST_MPPS &&
		goes_on(capacity, result)) {
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
	result->internal_losses += pipeline->ipv4.counters.records_lost +
				   pipeline->ipv6.counters.records_lost +
				   pipeline->inspector.counters.packets_skipped +
				   counter_read(&worker->reports.lost[REPORT_EVIDENCE]) +
				   counter_read(&worker->reports.lost[REPORT_MEDIA]) +
				   counter_read(&worker->reports.lost[REPORT_SAMPLE]);
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
