/* The engine's algorithm in C: blocks of LANES patients in arrays of single precision, both arms of a block week by week on the same Philox
   draws, prescribing for those alone whom it concerns, integer sums. with_c.py writes model.h (records and enums of PainLab by their names)
   and compiles this; the headers mirror the engine's files. */

#include <stdlib.h>

#include "model.h"
#include "numbers.h"
#include "layout.h"
#include "arrival.h"
#include "week.h"
#include "prescribing.h"

#ifdef PROFILE /* nanoseconds by step, in the order of with_c.STEPS */
#include <time.h>
double profile[16];
static double now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1e9 + at.tv_nsec;
}
#define STEP(number, call) do { double start = now_ns(); call; profile[number] += now_ns() - start; } while (0)
#else
#define STEP(number, call) call
#endif
enum { ARRIVE, CHANCE, HURT, RELIEVE, FEEL, VISIT, DESK, DESK_CHANCE, PRESCRIBE, TREAT, NOTE, ADD, MOVE };

/* Patients 0 ... patients - 1 of a closed cohort; sums has the shape (ARMS, OUTCOMES, weeks + 1). Returns 0, or 1 without memory. */
int simulate(uint64_t seed, int64_t patients, int weeks, const Parameters *restrict p, const Condition *restrict c, const Mix *restrict who,
             const float *goals, int goal_count, const float (*rows)[ROW_FIELDS], const float (*orders)[TREATMENTS][ORDER_FIELDS], const Plan *plans,
             const float *restrict most, const float *restrict scales, int64_t *sums) {
    Block *b = aligned_alloc(64, (sizeof(Block) + 63) / 64 * 64);
    if (!b) return 1;
    memset(b, 0, sizeof *b);
    EACH b->everyone[i] = i;
    int stride = weeks + 1;
    float due[ARMS][TREATMENTS];
    for (int64_t first = 0; first < patients; first += LANES) {
        int there = patients - first < LANES ? (int)(patients - first) : LANES;
        for (int k = 0; k < 3; k++) STEP(ARRIVE, draw(seed, first, 0, TRAITS_BODY + k, 0, LANES, b->everyone, b->traits[k]));
        STEP(ARRIVE, meet_patients(b->traits[0], b->traits[1], b->traits[2], p, c, who, goals, goal_count, &b->shared));
        for (int arm = 0; arm < ARMS; arm++) {
            begin_arm(&b->shared, &b->own[arm], p);
            for (int j = 0; j < TREATMENTS; j++) {
                due[arm][j] = NOT_DUE;
                if (orders[arm][j][ORDERED] == 0.0f) continue;
                draw(seed, first, 0, REFERRAL, j + 1, LANES, b->everyone, b->chances);
                due[arm][j] = refer(b->chances, rows[j], orders[arm][j], &b->shared, &b->given[arm][j], p);
            }
        }
        for (int t = 0; t <= weeks; t++) {
            float week = (float)t;
            STEP(CHANCE, draw(seed, first, t, BODY, 0, LANES, b->everyone, b->shared.u));
            int drawn[TREATMENTS / DRAWS + 1] = {0};
            STEP(HURT, hurt(week, &b->shared, p));
            for (int arm = 0; arm < ARMS; arm++) {
                Own *a = &b->own[arm];
                const Plan *restrict plan = &plans[arm];
                STEP(RELIEVE, rest(a, b->counted));
                for (int j = 0; j < TREATMENTS; j++)
                    if (week > due[arm][j]) STEP(RELIEVE, relieve(&b->given[arm][j], rows[j], c, a));
                STEP(FEEL, feel(&b->shared, a, p));
                STEP(VISIT, visit(week, &b->shared, a, plan, p));
                int count;
                STEP(DESK, count = gather(week, a, b->lanes, &b->desk));
                STEP(DESK_CHANCE, draw(seed, first, t, PRESCRIBING, 0, count, b->lanes, b->chances));
                STEP(PRESCRIBE, prescribe(t, count, b->chances, &b->desk, b->noted, c, who, plan, p));
                STEP(DESK, scatter(count, b->lanes, &b->desk, a));
                for (int j = 0; j < TREATMENTS; j++) {
                    Given *g = &b->given[arm][j];
                    int someone = 0, six = j / DRAWS;
                    if (week < due[arm][j]) continue;
                    STEP(TREAT, someone = coming(week, g, orders[arm][j], a));
                    if (!someone) {
                        STEP(TREAT, wane(g, rows[j], orders[arm][j], a, p));
                        continue;
                    }
                    if (!drawn[six]) STEP(CHANCE, draw(seed, first, t, SESSION, six, LANES, b->everyone, b->sessions + six * DRAWS));
                    drawn[six] = 1;
                    STEP(TREAT, treat(week, b->sessions[j], g, rows[j], orders[arm][j], &b->shared, a, b->counted, plan, p));
                }
                STEP(NOTE, note(&b->shared, a, b->counted, p));
                int64_t *to = sums + (int64_t)arm * OUTCOMES * stride + t;
                while (count > 0 && b->lanes[count - 1] >= there) count--; /* a last block's places that hold nobody */
                STEP(ADD, add(sizeof NOTED_IN_ALL / sizeof(int), NOTED_IN_ALL, b->counted, there, most, scales, to, stride));
                STEP(ADD, add(sizeof NOTED_AT_DESK / sizeof(int), NOTED_AT_DESK, b->noted, count, most, scales, to, stride));
                STEP(MOVE, move_on(week, &b->shared, a, who, p));
            }
        }
    }
    free(b);
    return 0;
}
