import type { RetentionDays } from 'aws-cdk-lib/aws-logs';

/** How many days CloudWatch Logs can keep logs. Of `RetentionDays` only `INFINITE` is refused. */
export type LogRetention =
  | 1
  | 3
  | 5
  | 7
  | 14
  | 30
  | 60
  | 90
  | 120
  | 150
  | 180
  | 365
  | 400
  | 545
  | 731
  | 1096
  | 1827
  | 2192
  | 2557
  | 2922
  | 3288
  | 3653
  | RetentionDays;

/** Condition keys and what is known of them: a value, a list of values, or null for a key that no call has. */
export interface KnownConditionKeys {
  readonly [conditionKey: string]: string | string[] | null;
}
