export type { KnownConditionKeys, LogRetention } from './property-types';
export { SessionKms } from './session-kms';
export { SessionKmsKeyAccess } from './session-kms-key-access';
export type { SessionKmsKeyAccessProps } from './session-kms-key-access-props';
export type { SessionKmsProps } from './session-kms-props';
