/** A profile. */

export const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };
