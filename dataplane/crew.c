/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/crew.h"

#include "dataplane/eal.h"
#include "dataplane/log.h"

#include <errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_rcu_qsbr.h>
#include <stdio.h>
#include <stdlib.h>

#define REFUSALS_TO_STOP 1000 /* of timestamps between two looks */

static bool
naps(const struct crew *crew)
{
	const struct layout *layout = crew->settings.layout;

	return eal_shares_cpus(1u + layout->rx_count + layout->worker_count) ||
	       ports_are_kernel(crew->settings.ports);
}

static int
create_dpi(const struct config *config, struct dpi **dpi)
{
	if (!config_wants_dpi(&config->inspection))
		return 0;
	*dpi = dpi_create(config->inspection.flows_max, config->inspection.dpi_max_packets);
	return *dpi ? 0 : -ENOMEM;
}

static int
create_pipeline(const struct crew *crew, struct worker *worker)
{
	const struct house *house = crew->settings.house;
	struct pipeline_settings settings = {
		.config = house->config,
		.dispatch = house->dispatch,
		.decode = house->decode,
		.memory = &worker->memory,
		.output = report_ring_output(&worker->reports),
		.worker = worker->number,
		.deduplicated_ports = dedup_ports_of(house->config, false),
	};
	int error = create_dpi(house->config, &settings.dpi);

	if (error)
		return error;
	error = pipeline_init(&worker->pipeline, &settings);
	if (error)
		dpi_free(settings.dpi);
	return error;
}

static void
name_figures(struct worker *worker)
{
	snprintf(worker->names.packets, sizeof(worker->names.packets), "worker.%u.packets",
		worker->number);
	snprintf(worker->names.bytes, sizeof(worker->names.bytes), "worker.%u.bytes",
		worker->number);
	snprintf(worker->names.ring_full, sizeof(worker->names.ring_full), "worker.%u.ring_full",
		worker->number);
}

static void
free_worker(struct worker *worker)
{
	struct memory_source memory = worker->memory;

	worker_drop_batches(worker);
	receiver_free(&worker->receiver);
	report_ring_free(&worker->reports);
	memory.release(worker);
}

/* All that is a worker's lies on the node of its lcore. */
static int
create_worker(struct crew *crew, uint16_t number)
{
	const struct crew_settings *settings = &crew->settings;
	struct memory_source memory = eal_memory(settings->layout->workers[number].socket);
	struct worker *worker = memory_allocate(&memory, "worker", sizeof(struct worker));
	int error;

	if (worker == NULL)
		return -ENOMEM;
	worker->number = number;
	worker->memory = memory;
	error = report_ring_init(&worker->reports, number, REPORT_RING_SLOTS, memory.socket);
	if (error == 0)
		error = receiver_init(&worker->receiver, settings->ports,
			&settings->layout->worker_queues[number],
			settings->house->config->dataplane.sampling, &crew->secret);
	if (error == 0)
		error = create_pipeline(crew, worker);
	if (error) {
		free_worker(worker);
		return error;
	}
	if (settings->layout->worker_count > 1)
		name_figures(worker);
	worker->quiescence = crew->quiescence;
	worker->stop = settings->stop;
	worker->clock = settings->clock;
	worker->naps = naps(crew);
	crew->workers[crew->worker_count++] = worker;
	return 0;
}

static int
create_spread(struct crew *crew, uint16_t number)
{
	const struct config_dataplane *dataplane = &crew->settings.house->config->dataplane;
	const struct layout *layout = crew->settings.layout;
	struct spread *spread = &crew->spreads[number];
	struct spread_settings settings = {
		.ports = crew->settings.ports,
		.queues = &layout->rx_queues[number],
		.secret = &crew->secret,
		.sampling = dataplane->sampling,
		.ring_slots = dataplane->ring_slots,
		.number = number,
		.workers = layout->worker_count,
		.socket = layout->rx[number].socket,
		.naps = naps(crew),
		.clock = crew->settings.clock,
		.stop = crew->settings.stop,
	};
	int error = spread_init(spread, &settings);

	if (error)
		return error;
	crew->spread_count++;
	for (unsigned i = 0; i < crew->worker_count; i++)
		worker_add_source(crew->workers[i], spread);
	return 0;
}

static int
create_quiescence(struct crew *crew, unsigned workers)
{
	size_t size = rte_rcu_qsbr_get_memsize(workers);

	crew->quiescence = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_CACHE_LINE_ROUNDUP(size));
	if (crew->quiescence == NULL)
		return -ENOMEM;
	return rte_rcu_qsbr_init(crew->quiescence, workers) == 0 ? 0 : -EINVAL;
}

int
crew_create(struct crew *crew, const struct crew_settings *settings)
{
	const struct layout *layout = settings->layout;
	int error;

	*crew = (struct crew){.settings = *settings};
	crew->workers = calloc(layout->worker_count, sizeof(struct worker *));
	crew->spreads = calloc(layout->rx_count + 1u, sizeof(struct spread));
	if (crew->workers == NULL || crew->spreads == NULL)
		return -ENOMEM;
	error = spread_secret_random(&crew->secret);
	if (error == 0)
		error = create_quiescence(crew, layout->worker_count);
	for (uint16_t i = 0; error == 0 && i < layout->worker_count; i++)
		error = create_worker(crew, i);
	for (uint16_t i = 0; error == 0 && i < layout->rx_count; i++)
		error = create_spread(crew, i);
	return error;
}

void
crew_free(struct crew *crew)
{
	for (unsigned i = 0; i < crew->worker_count; i++) {
		pipeline_free(&crew->workers[i]->pipeline);
		free_worker(crew->workers[i]);
	}
	for (unsigned i = 0; i < crew->spread_count; i++)
		spread_free(&crew->spreads[i]);
	free(crew->quiescence);
	free(crew->spreads);
	free(crew->workers);
}

static void
launch(int (*function)(void *), void *argument, unsigned lcore)
{
	if (rte_eal_remote_launch(function, argument, lcore) != 0)
		abort(); /* all lcores wait at this point */
}

void
crew_launch(struct crew *crew)
{
	const struct layout *layout = crew->settings.layout;

	for (unsigned i = 0; i < crew->worker_count; i++)
		launch(worker_run, crew->workers[i], layout->workers[i].id);
	for (unsigned i = 0; i < crew->spread_count; i++)
		launch(spread_run, &crew->spreads[i], layout->rx[i].id);
}

bool
crew_has_drained(const struct crew *crew)
{
	for (unsigned i = 0; i < crew->worker_count; i++)
		if (!atomic_load(&crew->workers[i]->drained))
			return false;
	return true;
}

/* What all queues of the ports have received, and how many timestamps were refused. */
struct port_sums {
	uint64_t received[PORTS_MAX];
	uint64_t refused[PORTS_MAX];
};

static void
look_at_queues(struct crew *crew, const struct receiver *receiver, struct port_sums *sums)
{
	for (unsigned i = 0; i < receiver->queues->count; i++) {
		const struct rx_queue *queue = &receiver->queues->list[i];
		uint64_t received = counter_read(&receiver->received[i]);

		imbalance_add(&crew->queue_imbalance[queue->port], queue->queue, received);
		sums->received[queue->port] += received;
		sums->refused[queue->port] += counter_read(&receiver->refused[i]);
	}
}

/* A port whose clock is mostly not believable is not asked again. */
static void
judge_timestamps(struct crew *crew, const struct port_sums *sums)
{
	for (unsigned i = 0; i < crew->settings.layout->port_count; i++) {
		uint64_t received = sums->received[i] - crew->port_received[i];
		uint64_t refused = sums->refused[i] - crew->port_refused[i];

		crew->port_received[i] = sums->received[i];
		crew->port_refused[i] = sums->refused[i];
		if (refused >= REFUSALS_TO_STOP && refused > received / 2)
			port_stop_timestamps(&crew->settings.ports->ports[i]);
	}
}

/* One figure for all ports: the worst, which is the one to look at. */
static void
queue_health(struct crew *crew, struct health_record *health)
{
	const struct layout *layout = crew->settings.layout;
	struct port_sums sums = {0};
	unsigned worst = 0;

	for (unsigned i = 0; i < layout->port_count; i++)
		imbalance_begin(&crew->queue_imbalance[i], layout->queues[i]);
	for (unsigned i = 0; i < crew->worker_count; i++)
		look_at_queues(crew, &crew->workers[i]->receiver, &sums);
	for (unsigned i = 0; i < crew->spread_count; i++)
		look_at_queues(crew, &crew->spreads[i].receiver, &sums);
	for (unsigned i = 0; i < layout->port_count; i++) {
		unsigned percent = imbalance_percent(&crew->queue_imbalance[i], NULL);

		worst = percent > worst ? percent : worst;
	}
	judge_timestamps(crew, &sums);
	health_add(health, "ports.queue_imbalance", HEALTH_GAUGE, worst);
}

void
crew_ask(struct crew *crew)
{
	for (unsigned i = 0; i < crew->worker_count; i++)
		worker_ask(crew->workers[i]);
}

bool
crew_has_answered(const struct crew *crew)
{
	for (unsigned i = 0; i < crew->worker_count; i++)
		if (!worker_has_answered(crew->workers[i]))
			return false;
	return true;
}

void
crew_health(struct crew *crew, struct health_record *health)
{
	imbalance_begin(&crew->imbalance, crew->worker_count);
	for (unsigned i = 0; i < crew->worker_count; i++) {
		const struct worker *worker = crew->workers[i];

		health_add_record(health, worker_answer(worker));
		imbalance_add(&crew->imbalance, i, counter_read(&worker->packets));
	}
	for (unsigned i = 0; i < crew->spread_count; i++)
		spread_health(&crew->spreads[i], health);
	queue_health(crew, health);
	crew->worst = imbalance_percent(&crew->imbalance, &crew->busiest);
	health_add(health, "workers.imbalance", HEALTH_GAUGE, crew->worst);
	health_add(health, "sampling.interval", HEALTH_GAUGE,
		crew->settings.house->config->dataplane.sampling);
}
