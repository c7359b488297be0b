/* Where a block of LANES patients keeps its numbers, as painlab.engine.layout has it. */

#define NEVER (-1.0f)
#define NOT_DUE 1e9f
#define MOST_RELIEF 0.95f
#define LONG_TERM_WEEKS 13.0f
#define BOTH(a, b) ((a) & (b))

typedef struct {
    float distress[ROW], prior[ROW], stop_ease[ROW], dose_factor[ROW], supply_factor[ROW], came_without[ROW], poor_sleep[ROW],
        comorbidity[ROW], adherence[ROW], age[ROW], response[ROW], opioid_response[ROW], goal_activity[ROW], goal_strength[ROW],
        course_weeks[ROW], signal_start[ROW], floor[ROW], flare_chance[ROW], pain[ROW], dose[ROW], weeks_on[ROW],
        activity[ROW], strength[ROW], sensitization[ROW], tolerance[ROW], noise[ROW], flare[ROW], signal[ROW];
    float u[DRAWS][ROW];
} Shared;

typedef struct {
    float dose[ROW], taken[ROW], covered[ROW], weeks_on[ROW], supply[ROW], pain_at_start[ROW], tapering[ROW],
        dose_before_taper[ROW], taper_again[ROW], risk_until[ROW], persistent[ROW], found[ROW], withdrawn[ROW], drowsy[ROW];
    float tolerance[ROW], withdrawal[ROW], pain[ROW], seen[ROW];
    float distress[ROW], prior[ROW], stop_ease[ROW], dose_factor[ROW], supply_factor[ROW], came_without[ROW];
} Desk; /* the first 14 are what prescribing changes, the last 6 are traits */

typedef struct {
    Desk d;
    float activity[ROW], strength[ROW], sensitization[ROW], next_visit[ROW], source_kept[ROW], felt_kept[ROW], lift[ROW],
        easing[ROW], training[ROW], sedation[ROW];
} Own;

typedef struct {
    float responds[ROW], due[ROW], began[ROW], left[ROW], effect[ROW], habit[ROW], potency[ROW], best[ROW];
} Given;

typedef struct {
    Shared shared;
    Own own[ARMS];
    Given given[ARMS][TREATMENTS];
    float counted[OUTCOMES][ROW], noted[OUTCOMES][ROW]; /* of everybody, and of those at the desk */
    float sessions[(TREATMENTS + DRAWS - 1) / DRAWS * DRAWS][ROW];
    Desk desk;
    float chances[DRAWS][ROW];
    float traits[3][DRAWS][ROW];
    int32_t lanes[ROW], everyone[ROW];
} Block;
